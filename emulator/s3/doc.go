// Package s3 is Drydock's own S3 endpoint: an http.Handler that answers as
// MinIO does, many in one process, with its files under one folder. The
// emulator serves it to the uploads flow; tests open it on a temporary folder.
//
// # On disk
//
//	lock                        held with flock while the Server is open
//	deployment                  the id of this folder, made once
//	keys.json                   the access keys that were made while it ran
//	tmp/                        files being written; emptied by Open
//	log/<first sequence>.log    the commit log, and the outbox of events
//	buckets/<name>/bucket.json  creation time, versioning, and all rules of the bucket
//	buckets/<name>/objects/     one self-contained file per version of an object
//	uploads/<id>/               a multipart upload: upload.json and its parts
//
// An object's file is named by the SHA-256 of its key, so that keys of any
// shape stay inside the folder, and by the id of the version unless that is the
// null version, which is all that a bucket without versioning has. It holds the
// data, then the metadata as JSON, then a fixed footer; that of a delete marker
// has no data. A sequence in the metadata orders the versions of a key. What may
// change later, such as tags, is in the metadata at first and afterwards in a
// sidecar beside the file; the index has it, so that reading an object opens one
// file.
//
// # Commit
//
// A write goes to tmp/ and is synced there. Then one record is appended to the
// commit log: the operation together with the events that it causes. Records
// of concurrent requests share one sync. From that moment the write is durable;
// the file is renamed to its place, the in-memory index follows, the client is
// answered and the events are delivered. Open does again whatever the log says
// and the folder does not show yet, and delivers the events that have not been
// acknowledged: neither exists without the other.
//
// Events of what changes nothing, such as reads, are not in the log: they are
// told once to who listens, and to destinations as far as there is room. Nobody
// who listens is waited for.
//
// A lifecycle's rules are done by a scanner, which sleeps while no bucket has any;
// what has expired is neither served nor listed from that moment. SURFACE.md says
// of every operation of S3 how far it is served.
//
// A log segment goes once everything it says, and everything older, is durable in
// its place and all of its events have been accepted. Both hold on Linux file systems that honour
// fsync on files and folders.
//
// # Who may do what
//
// Each route names an action, which the router asks the caller's policy for
// before the handler runs; handlers ask for what else they touch. A key does
// what its own policy says, and everything without one; who signs nothing does
// what the bucket's policy says, which is about nobody else, as in MinIO. A
// policy is refused where MinIO would pass over what it does not understand, and
// what one denies stays denied.
package s3
