/** Prints the types of the OpenAPI document that comes in on stdin. */
import { readFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const document = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(astToString(await openapiTS(document)));
