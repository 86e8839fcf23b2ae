package uploads

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// tombstone is how long it is remembered that an upload was deleted: longer
// than any link to send it holds and any late delivery takes.
const tombstone = 24 * time.Hour

func (s *Service) registerDelete(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID:   "delete-upload",
		Method:        http.MethodDelete,
		Path:          "/v1/uploads/{id}",
		Summary:       "Delete an upload",
		Description:   "Deletes the original and the pictures made from it, for good, or gives up an upload that is still waited for. Doing it again is no error.",
		Tags:          []string{tagUploads},
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *identifierInput) (*struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
		defer cancel()
		owner := web.OwnerOf(ctx)
		err := s.bury(ctx, owner, in.ID)
		if err == nil {
			err = s.clear(ctx, owner, in.ID)
		}
		if err != nil {
			return nil, s.problem(ctx, "delete upload", err)
		}
		return nil, nil
	})
}

// bury records that an upload is deleted, whatever a worker writes meanwhile.
func (s *Service) bury(ctx context.Context, owner, id string) error {
	made, ok := s.identified(id)
	if !ok {
		return &missing{id: id, why: "ids are given out by POST /v1/uploads"}
	}
	for {
		doc, revision, err := s.record(ctx, owner, id)
		if errors.Is(err, cloud.ErrNotFound) {
			doc, err = s.unrecorded(ctx, owner, id, made)
		}
		if err != nil || doc.Status == contract.StatusDeleted {
			return err
		}
		doc.Status, doc.Reason, doc.Variants, doc.Updated = contract.StatusDeleted, "", nil, s.now().UTC()
		value, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		_, err = s.options.Records.Put(ctx, contract.RecordKey(owner, id), value, revision, tombstone)
		if !errors.Is(err, cloud.ErrConflict) && !errors.Is(err, cloud.ErrExists) {
			return err
		}
	}
}

// unrecorded makes the document of an upload that no worker has picked up: it
// has arrived, or it may yet.
func (s *Service) unrecorded(ctx context.Context, owner, id string, made time.Time) (contract.Upload, error) {
	doc := contract.Upload{ID: id, Owner: owner}
	object, err := s.object(ctx, owner, id)
	switch {
	case err == nil:
		_, _, doc.Filename, _ = contract.ParseIncomingKey(object.Key)
		doc.Size, doc.ETag = object.Size, object.ETag
	case !errors.Is(err, cloud.ErrNotFound):
		return doc, err
	case s.now().After(s.expires(made).Add(late)):
		return doc, &missing{id: id, why: "nothing arrived before its link expired"}
	}
	return doc, nil
}

// clear removes the objects of an upload. The original goes last: while it is
// there, the sweep finds what was left behind.
func (s *Service) clear(ctx context.Context, owner, id string) error {
	for _, folder := range []string{contract.ProcessedFolder(owner, id), contract.IncomingFolder(owner, id)} {
		for object, err := range s.options.Objects.List(ctx, folder, "") {
			if err == nil {
				err = s.options.Objects.Delete(ctx, object.Key)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
