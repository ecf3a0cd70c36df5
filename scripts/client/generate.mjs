/** Prints the types of the OpenAPI document that comes in on stdin. */
import { text } from 'node:stream/consumers';
import openapiTS, { astToString } from 'openapi-typescript';

const document = JSON.parse(await text(process.stdin));
process.stdout.write(astToString(await openapiTS(document)));
