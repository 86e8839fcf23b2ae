package page

import (
	"testing"

	"github.com/drydock/drydock/api/web/webtest"
)

func TestPage(t *testing.T) {
	webtest.Check(t, webtest.Page{Handler: Handler(), Static: static, IDs: []string{"drop", "files", "gallery"}, Path: "/v1/uploads"})
}
