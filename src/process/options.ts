/**
 * What can be said about the records of a source: the keys that stand beside `paths`, composed of what the rooms within
 * this one export. Each has a word for the simple case.
 */
import { type FieldsOptions, fieldsShape } from './fields/options.ts'
import { type LevelOptions, levelShape } from './level/options.ts'
import { type MultilineOptions, multilineShape } from './multiline/options.ts'
import { type ParseOptions, parseShape } from './parse/options.ts'
import { type RedactOptions, redactShape } from './redact/options.ts'
import { type RouteOptions, routeShape, type SelectOptions, selectShape } from './select/options.ts'
import { type TimeOptions, timeShape } from './time/options.ts'

/** In the order in which it is done. */
export const processShape = {
  ...multilineShape,
  ...redactShape,
  ...parseShape,
  ...timeShape,
  ...levelShape,
  ...selectShape,
  ...fieldsShape,
}

/** What may stand beside the keys of a backend too: it comes after what its sources say. */
export const backendProcessShape = { ...routeShape, ...fieldsShape }

/** Of one source, as its schema yields it. */
export interface ProcessOptions
  extends MultilineOptions,
    RedactOptions,
    ParseOptions,
    TimeOptions,
    LevelOptions,
    SelectOptions,
    FieldsOptions {}

/** Of one backend. */
export interface BackendProcessOptions extends RouteOptions, FieldsOptions {}
