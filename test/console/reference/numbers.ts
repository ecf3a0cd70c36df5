/** All numbers, in their order: the tests change the org step by step. */
import { CREDITS } from './credits.js';
import { LIMITS } from './limits.js';

export const NUMBERS = [...CREDITS, ...LIMITS];
