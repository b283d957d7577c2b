#!/usr/bin/env node
/**
 * What is started: a shipper without what the image gives Node gets it first, then the program is loaded.
 *
 * Guarantees: what cannot be had (another way to begin, compiled code) costs memory or time, and never the start.
 */
import { isSettled, settle } from './start/settle.ts'
import { load } from './start/source.ts'

if (isSettled()) load()
else void settle().then(load)
