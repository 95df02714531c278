// Stands between Prism and the sandbox: node shim.mjs PORT UPSTREAM HOST
// Prism writes its upstream into the Host header, which our signatures cover; this puts the host back that we signed.
import http from 'node:http';

const [, , port, upstream, host] = process.argv;
http.createServer((request, response) => {
  // A reply that the description does not know, to see that Prism would notice one.
  if (request.url.endsWith('/ReadRegions')) {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"Nonsense": 1}');
    return;
  }
  const options = { method: request.method, headers: { ...request.headers, host } };
  const onward = http.request(upstream + request.url, options, (reply) => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  onward.on('error', (error) => response.writeHead(502).end(String(error)));
  request.pipe(onward);
}).listen(Number(port), '127.0.0.1');
