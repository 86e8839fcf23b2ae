package uploads

import (
	"context"
	"fmt"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// Upload is an upload as the API shows it.
type Upload struct {
	ID          string          `json:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"Identifies the upload; later ones sort first."`
	Filename    string          `json:"filename,omitempty" example:"harbour.jpg" doc:"The file's name; known once the file has arrived."`
	ContentType string          `json:"content_type,omitempty" example:"image/jpeg" doc:"The type the file was sent with; known once it is processed."`
	Size        *int64          `json:"size,omitempty" example:"2483201" doc:"Bytes; known once the file has arrived."`
	Status      contract.Status `json:"status" enum:"waiting,processing,processed,rejected" example:"processed" doc:"waiting: for the file, or for a worker once it was received. processed and rejected are final."`
	Received    bool            `json:"received" doc:"Whether the file has arrived."`
	Reason      string          `json:"reason,omitempty" example:"The file is no picture that can be read." doc:"Why it was rejected, for people."`
	Width       int             `json:"width,omitempty" example:"4000" doc:"Pixels of the original."`
	Height      int             `json:"height,omitempty" example:"3000" doc:"Pixels of the original."`
	Pages       int             `json:"pages,omitempty" example:"1" doc:"More than 1 for animations."`
	Created     time.Time       `json:"created" doc:"When the upload was signed."`
	Updated     time.Time       `json:"updated,omitzero" doc:"When the status last changed."`
	Expires     time.Time       `json:"expires,omitzero" doc:"Until when the file can be sent, while it is waited for."`
	Variants    []Variant       `json:"variants" nullable:"false" doc:"The pictures made from it."`
	Original    *Original       `json:"original,omitempty" doc:"The file as it was sent, once it has arrived."`
}

// Variant is a picture made from an upload, with a signed link to download it.
type Variant struct {
	Name        string `json:"name" example:"thumbnail" doc:"Which variant it is."`
	ContentType string `json:"content_type" example:"image/webp" doc:"Its media type."`
	Size        int64  `json:"size" example:"6120" doc:"Bytes."`
	Width       int    `json:"width" example:"160" doc:"Pixels."`
	Height      int    `json:"height" example:"160" doc:"Pixels."`
	URL         string `json:"url" format:"uri" example:"https://store.example/uploads/processed/demo/vun6ol2a0k3p9r5c1m8d4h7t/thumbnail.webp?X-Amz-Signature=…" doc:"A signed link, valid for a limited time."`
}

// Original is the file as it was sent.
type Original struct {
	URL string `json:"url" format:"uri" example:"https://store.example/uploads/incoming/demo/vun6ol2a0k3p9r5c1m8d4h7t/harbour.jpg?X-Amz-Signature=…" doc:"A signed link, valid for a limited time."`
}

// recorded shows an upload that the images worker has picked up.
func (s *Service) recorded(ctx context.Context, doc contract.Upload) (Upload, error) {
	made, ok := contract.UploadTime(doc.ID)
	if !ok {
		return Upload{}, fmt.Errorf("show upload: the record's id %q is none", doc.ID)
	}
	original, err := s.sign(ctx, contract.IncomingKey(doc.Owner, doc.ID, doc.Filename))
	if err != nil {
		return Upload{}, err
	}
	view := Upload{
		ID:          doc.ID,
		Filename:    doc.Filename,
		ContentType: doc.ContentType,
		Size:        &doc.Size,
		Status:      doc.Status,
		Received:    true,
		Reason:      doc.Reason,
		Width:       doc.Width,
		Height:      doc.Height,
		Pages:       doc.Pages,
		Created:     made.UTC(),
		Updated:     doc.Updated.UTC(),
		Variants:    make([]Variant, 0, len(doc.Variants)),
		Original:    &Original{URL: original},
	}
	for _, v := range doc.Variants {
		link, err := s.sign(ctx, v.Key)
		if err != nil {
			return Upload{}, err
		}
		view.Variants = append(view.Variants, Variant{
			Name: v.Name, ContentType: v.ContentType, Size: v.Size, Width: v.Width, Height: v.Height, URL: link,
		})
	}
	return view, nil
}

// arrived shows an upload whose object is there and not picked up yet.
func (s *Service) arrived(ctx context.Context, object cloud.ObjectInfo) (Upload, error) {
	_, id, name, ok := contract.ParseIncomingKey(object.Key)
	if !ok {
		return Upload{}, fmt.Errorf("show upload: the object's key %q is no upload's", object.Key)
	}
	original, err := s.sign(ctx, object.Key)
	if err != nil {
		return Upload{}, err
	}
	made, _ := contract.UploadTime(id)
	return Upload{
		ID:       id,
		Filename: name,
		Size:     &object.Size,
		Status:   contract.StatusWaiting,
		Received: true,
		Created:  made.UTC(),
		Updated:  object.Modified.UTC(),
		Variants: []Variant{},
		Original: &Original{URL: original},
	}, nil
}

// awaited shows an upload of which nothing has arrived.
func (s *Service) awaited(id string, made time.Time) Upload {
	expires := s.expires(made)
	view := Upload{ID: id, Status: contract.StatusWaiting, Created: made, Expires: expires, Variants: []Variant{}}
	if !s.now().Before(expires) {
		view.Status = contract.StatusRejected
		view.Reason = fmt.Sprintf("Nothing arrived before the upload link expired at %s; ask for a new one.", expires.Format(time.RFC3339))
	}
	return view
}

func (s *Service) sign(ctx context.Context, key string) (string, error) {
	return s.options.Objects.SignGet(ctx, key, s.options.LinkValidity)
}
