#!/usr/bin/env node
/** What is started. */
import { load } from './start/source.ts'

load()
