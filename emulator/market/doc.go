// Package market is a market-data vendor that needs no network: an HTTP API
// with symbols, last quotes, history and a stream. The emulator runs it for the
// quotes worker; tests start one of their own.
//
// # Quotes
//
// Each symbol has one quote per interval, aligned to the wall clock. A quote
// is a function of the seed, the symbol and its time alone, so that two feeds
// with the same seed say the same, whenever they were started, and the history
// of any span costs as much as it is long. Symbols read from CSV files are
// replayed instead.
//
// # Events
//
// Scripted events change that, from their moment on. Spike, crash, gap and
// halt belong to the market: they change the quotes themselves, and history
// tells of them for ever. The other kinds belong to the feed: they spoil the
// answers while they last, and history is right again afterwards. To delete an
// event is to make it never have been. Where Options.Dir is given, events and
// injected quotes are kept over a restart.
//
// # Routes
//
//	GET    /v1/symbols
//	GET    /v1/quotes?symbols=A,B
//	GET    /v1/history?symbols=A,B&from=…&to=…&limit=…&interval=…
//	GET    /v1/stream?symbols=A,B
//	POST   /v1/quotes         inject a quote
//	POST   /v1/events         script one event or an array of them
//	GET    /v1/events
//	DELETE /v1/events/{id}
//
// The last quotes have an ETag. History is what comes after from and up to to
// (by default now), ascending by time, ties by symbol. It ends with a whole
// time before it has more than limit quotes, unless one time alone has more;
// next is then where to go on from. With an interval, such as 1h, a symbol has
// one quote for each multiple of it since 1970: the last price and the sum of
// the volumes, at the time of its end.
//
// The first four are the vendor's: they are limited in rate, and spoilt by the
// feed's events. The others govern the feed and always answer. Errors are
// RFC 9457 problems.
package market
