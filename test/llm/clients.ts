/** The official clients, each with the same few things to do. Nothing in them is set but where they call, and who calls. */

import { anthropicClient, geminiClient, vertexClients } from './anthropic-gemini-clients.js';
import { bedrockClients } from './bedrock-clients.js';
import type { Client, Target } from './client.js';
import { cohereClient } from './cohere-client.js';
import { ollamaClients } from './ollama-clients.js';
import { openaiClients } from './openai-clients.js';
import { mediaClients } from './openai-media-clients.js';
import { vercelClients } from './vercel-clients.js';

export function clients(target: Target): Client[] {
  return [
    ...openaiClients(target),
    ...mediaClients(target),
    anthropicClient(target),
    geminiClient(target),
    ...vercelClients(target),
    ...ollamaClients(target),
    cohereClient(target),
    ...bedrockClients(target),
    ...vertexClients(target),
  ];
}
