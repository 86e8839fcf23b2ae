// The default variants by sharp, in the fastest way that it has: one decode,
// the small ones from the 1280 one, as the worker does it.
//
//   node bench.mjs ROUNDS PARALLEL file...
//
// Prints one line: {"pictures":N,"seconds":S}.

import { readFileSync } from 'node:fs'
import sharp from 'sharp'

const [rounds, parallel, ...paths] = process.argv.slice(2)
const sources = paths.map((path) => readFileSync(path))
const total = rounds * sources.length
const webp = { quality: 80, effort: 4 }

sharp.concurrency(1)
sharp.cache(false)

async function picture(source) {
  const { data, info } = await sharp(source, { failOn: 'truncated' })
    .autoOrient()
    .resize({ width: 1280, height: 16383, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const large = () => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } })
  await large().resize(160, 160, { position: 'attention' }).webp(webp).toBuffer()
  await large().resize({ width: 640 }).webp(webp).toBuffer()
  await large().webp(webp).toBuffer()
}

let next = 0
async function work() {
  while (next < total) await picture(sources[next++ % sources.length])
}

const began = performance.now()
await Promise.all(Array.from({ length: Number(parallel) }, work))
console.log(JSON.stringify({ pictures: total, seconds: (performance.now() - began) / 1000 }))
