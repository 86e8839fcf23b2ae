package uploads

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// readsAtOnce bounds the records that one listing or sweep asks for at a time.
const readsAtOnce = 16

type listInput struct {
	Limit int    `query:"limit" default:"20" minimum:"1" maximum:"100" example:"20" doc:"How many at most."`
	After string `query:"after" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"Go on after this id: the next of the page before."`
}

// Page is one page of an owner's uploads.
type Page struct {
	Uploads []Upload `json:"uploads" nullable:"false" doc:"The newest first. There may be fewer than asked for, or none, while there is a next."`
	Next    string   `json:"next,omitempty" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"What to ask for after; not there on the last page."`
}

type listOutput struct{ Body Page }

func (s *Service) registerList(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-uploads",
		Method:      http.MethodGet,
		Path:        "/v1/uploads",
		Summary:     "List the uploads",
		Description: "Lists the uploads that have arrived, the newest first. Those still waited for are not listed.",
		Tags:        []string{tagUploads},
		Errors:      []int{http.StatusServiceUnavailable},
	}, s.list)
}

func (s *Service) list(ctx context.Context, in *listInput) (*listOutput, error) {
	if _, ok := contract.UploadTime(in.After); in.After != "" && !ok {
		return nil, web.Fault("query.after", "not an upload's id; take it from a page's next", in.After)
	}
	ctx, cancel := context.WithTimeout(ctx, web.AnswerTime)
	defer cancel()
	owner := web.OwnerOf(ctx)
	objects, more, err := s.page(ctx, owner, in.After, in.Limit)
	if err != nil {
		return nil, s.problem(ctx, "list uploads", err)
	}
	views := make([]*Upload, len(objects))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, object := range objects {
		group.Go(func() (err error) {
			views[i], err = s.listed(reading, owner, object)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, s.problem(ctx, "list uploads", err)
	}
	page := Page{Uploads: make([]Upload, 0, len(views))}
	for _, view := range views {
		if view != nil {
			page.Uploads = append(page.Uploads, *view)
		}
	}
	if more {
		_, page.Next, _, _ = contract.ParseIncomingKey(objects[len(objects)-1].Key)
	}
	return &listOutput{Body: page}, nil
}

// page returns the objects of a page, and whether there are more after them.
func (s *Service) page(ctx context.Context, owner, after string, limit int) (objects []cloud.ObjectInfo, more bool, err error) {
	folder := contract.Incoming + owner + "/"
	if after != "" {
		after = folder + after + "0" // the byte after the slash: behind all of that upload
	}
	for object, err := range s.options.Objects.List(ctx, folder, after) {
		if err != nil {
			return nil, false, err
		}
		if _, _, _, ok := contract.ParseIncomingKey(object.Key); !ok {
			continue // put there by somebody else
		}
		if len(objects) == limit {
			return objects, true, nil
		}
		objects = append(objects, object)
	}
	return objects, false, nil
}

// listed shows an upload that has arrived; nil when it was deleted.
func (s *Service) listed(ctx context.Context, owner string, object cloud.ObjectInfo) (*Upload, error) {
	_, id, _, _ := contract.ParseIncomingKey(object.Key)
	doc, _, err := s.record(ctx, owner, id)
	if errors.Is(err, cloud.ErrNotFound) {
		view, err := s.arrived(ctx, object)
		return &view, err
	}
	if err != nil || doc.Status == contract.StatusDeleted {
		return nil, err
	}
	view, err := s.recorded(ctx, doc)
	return &view, err
}
