package uploads

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/drydock/drydock/api/web"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// maxBody bounds the body of a request to the API, in bytes.
const maxBody = 64 << 10

// NewUpload is what an upload is asked for with.
type NewUpload struct {
	Filename    string `json:"filename" minLength:"1" maxLength:"4096" example:"harbour.jpg" doc:"The file's name. What cannot end a key is taken out of it."`
	ContentType string `json:"content_type" minLength:"3" maxLength:"255" example:"image/jpeg" doc:"The file's media type; the store takes exactly this one. What is no picture is rejected once it has arrived."`
	Size        int64  `json:"size" minimum:"0" example:"2483201" doc:"The file's size in bytes; the store takes exactly this many."`
}

// SignedUpload says how to send a file: by the form or by the put, either of
// them, before it expires.
type SignedUpload struct {
	ID          string          `json:"id" example:"vun6ol2a0k3p9r5c1m8d4h7t" doc:"Identifies the upload."`
	Filename    string          `json:"filename" example:"harbour.jpg" doc:"The name it will have."`
	ContentType string          `json:"content_type" example:"image/jpeg" doc:"The type it must be sent with."`
	Size        int64           `json:"size" example:"2483201" doc:"The bytes it must have."`
	Status      contract.Status `json:"status" enum:"waiting" example:"waiting" doc:"Always waiting."`
	Expires     time.Time       `json:"expires" doc:"Until when sending it can begin."`
	Form        Form            `json:"form" doc:"A signed browser form."`
	Put         Put             `json:"put" doc:"A signed plain request."`
}

// Form is a multipart POST of the fields, followed by a field "file".
type Form struct {
	URL    string            `json:"url" format:"uri" example:"https://store.example/uploads" doc:"Where to POST to."`
	Fields map[string]string `json:"fields" doc:"What to send before the field named file, which comes last."`
}

// Put is a plain request with the file as its body.
type Put struct {
	Method  string            `json:"method" example:"PUT" doc:"Its method."`
	URL     string            `json:"url" format:"uri" example:"https://store.example/uploads/incoming/demo/vun6ol2a0k3p9r5c1m8d4h7t/harbour.jpg?X-Amz-Signature=…" doc:"Where to send it."`
	Headers map[string]string `json:"headers" doc:"Headers to send as they are."`
}

type createInput struct{ Body NewUpload }

type createOutput struct {
	Location string `header:"Location" doc:"The upload's path in this API."`
	Body     SignedUpload
}

func (s *Service) registerCreate(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID:   "create-upload",
		Method:        http.MethodPost,
		Path:          "/v1/uploads",
		Summary:       "Sign an upload",
		Description:   fmt.Sprintf("Signs the upload of one file of at most %d bytes, to be sent straight to the object store within %v. Nothing is kept until the file arrives.", s.options.MaxSize, s.options.Expiry),
		Tags:          []string{tagUploads},
		DefaultStatus: http.StatusCreated,
		MaxBodyBytes:  maxBody,
		Errors: []int{
			http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable,
		},
	}, s.create)
}

func (s *Service) create(ctx context.Context, in *createInput) (*createOutput, error) {
	if faults := s.faults(in.Body); faults != nil {
		return nil, web.Faults(faults...)
	}
	owner := web.OwnerOf(ctx)
	id := contract.NewUploadID(s.now())
	made, _ := contract.UploadTime(id)
	name := contract.CleanName(in.Body.Filename)
	grant := cloud.Grant{
		Key:         contract.IncomingKey(owner, id, name),
		Size:        in.Body.Size,
		ContentType: in.Body.ContentType,
		Expires:     s.expires(made).UTC(),
	}
	form, err := s.options.Objects.SignPost(ctx, grant)
	if err != nil {
		return nil, s.problem(ctx, "sign upload form", err)
	}
	put, err := s.options.Objects.SignPut(ctx, grant)
	if err != nil {
		return nil, s.problem(ctx, "sign upload request", err)
	}
	s.metrics.signed.Inc()
	return &createOutput{
		Location: "/v1/uploads/" + id,
		Body: SignedUpload{
			ID:          id,
			Filename:    name,
			ContentType: grant.ContentType,
			Size:        grant.Size,
			Status:      contract.StatusWaiting,
			Expires:     grant.Expires,
			Form:        Form(form),
			Put:         Put(put),
		},
	}, nil
}

// mediaType is RFC 6838's form of names, with RFC 9110's parameters.
var mediaType = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}` +
		`( ?; ?[A-Za-z0-9!#$&^_.+-]+=([A-Za-z0-9!#$&^_.+-]+|"[ !#-\[\]-~]*"))*$`)
})

// faults names what the schema cannot say about a request.
func (s *Service) faults(in NewUpload) []error {
	var faults []error
	if in.Size > s.options.MaxSize {
		faults = append(faults, &huma.ErrorDetail{
			Location: "body.size",
			Message:  fmt.Sprintf("%d bytes are more than the %d that are taken; send a smaller file", in.Size, s.options.MaxSize),
			Value:    in.Size,
		})
	}
	if !mediaType().MatchString(in.ContentType) {
		faults = append(faults, &huma.ErrorDetail{
			Location: "body.content_type",
			Message:  "not a media type such as image/jpeg; send application/octet-stream where it is unknown",
			Value:    in.ContentType,
		})
	}
	return faults
}
