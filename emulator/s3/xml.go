package s3

import "time"

const (
	xmlNamespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	ownerName    = "drydock"
)

type ownerXML struct {
	ID          string
	DisplayName string
}

func owner() ownerXML { return ownerXML{ID: ownerName, DisplayName: ownerName} }

// xmlTime writes a time as S3 does, in milliseconds.
func xmlTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
