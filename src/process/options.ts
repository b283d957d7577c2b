/**
 * What can be said about the records of a source: the keys that stand beside `paths`, composed of what the rooms within
 * this one export. Each has a word for the simple case.
 */
import { type LevelOptions, levelShape } from './level/options.ts'
import { type MultilineOptions, multilineShape } from './multiline/options.ts'
import { type ParseOptions, parseShape } from './parse/options.ts'
import { type TimeOptions, timeShape } from './time/options.ts'

export const processShape = { ...multilineShape, ...parseShape, ...timeShape, ...levelShape }

/** Of one source, as its schema yields it. */
export interface ProcessOptions extends MultilineOptions, ParseOptions, TimeOptions, LevelOptions {}
