// The upstream of image.sh: an item, and a stream of four seconds.
import { createServer } from 'node:http';

createServer((request, response) => {
  if (request.url !== '/stream') {
    response.end('{"item":1}\n');
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  let left = 20;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) response.write(`data: ${left}\n\n`);
    else {
      clearInterval(timer);
      response.end('data: last\n');
    }
  }, 200);
}).listen(8081, '127.0.0.1');
