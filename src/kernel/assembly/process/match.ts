export function matches(set: usize, from: usize, to: usize): u32 {
  return from < to && (load<u8>(from) == 32 || load<u8>(from) == 9) ? 1 : 0
}
