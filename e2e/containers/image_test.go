package containers

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// image is what the engine says of one.
type image struct {
	Size   int64
	Config struct {
		User                string
		Entrypoint          []string
		Labels              map[string]string
		Healthcheck         struct{ Test []string }
		OnBuild, Cmd, Shell []string
	}
}

func TestImagesAreSmallAndSayWhatTheyAre(t *testing.T) {
	images(t)
	for name, limit := range map[string]int64{"drydock": 40e6, "drydock-images": 200e6} {
		t.Run(name, func(t *testing.T) {
			var found []image
			require.NoError(t, json.Unmarshal([]byte(docker(t, "image", "inspect", name+":local")), &found))
			i := found[0]
			assert.Less(t, i.Size, limit)
			t.Logf("%s: %d MB", name, i.Size/1e6)
			user, _, _ := strings.Cut(i.Config.User, ":")
			assert.NotContains(t, []string{"", "0", "root"}, user)
			assert.Equal(t, []string{"/usr/bin/" + name}, i.Config.Entrypoint)
			assert.Equal(t, []string{"CMD", "/usr/bin/" + name, "health"}, i.Config.Healthcheck.Test)
			said := docker(t, "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "all", name+":local", map[string]string{
				"drydock": "--version", "drydock-images": "-version",
			}[name])
			version := i.Config.Labels["org.opencontainers.image.version"]
			assert.Equal(t, version, said[strings.LastIndexByte(said, ' ')+1:])
			assert.NotEmpty(t, version)
			assert.Len(t, i.Config.Labels["org.opencontainers.image.revision"], 40)
		})
	}
}

// files are the names of the regular files in an image, and the content of one.
func files(t *testing.T, image, wanted string) (names []string, content []byte) {
	t.Helper()
	id := docker(t, "create", image)
	defer docker(t, "rm", id)
	exported, err := exec.Command("docker", "export", id).Output()
	require.NoError(t, err)
	archive := tar.NewReader(bytes.NewReader(exported))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return names, content
		}
		require.NoError(t, err)
		if header.Typeflag == tar.TypeReg && header.Size > 0 {
			names = append(names, header.Name)
		}
		if header.Name == wanted {
			content, err = io.ReadAll(archive)
			require.NoError(t, err)
		}
	}
}

// interpreter is the loader of a program that is not static.
func interpreter(t *testing.T, content []byte) string {
	t.Helper()
	program, err := elf.NewFile(bytes.NewReader(content))
	require.NoError(t, err)
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			name, err := io.ReadAll(p.Open())
			require.NoError(t, err)
			return string(bytes.TrimRight(name, "\x00"))
		}
	}
	return ""
}

func TestTheImageDrydockIsAStaticProgramAndCertificates(t *testing.T) {
	images(t)
	names, program := files(t, "drydock:local", "usr/bin/drydock")
	assert.ElementsMatch(t, []string{"usr/bin/drydock", "etc/ssl/certs/ca-certificates.crt"}, names)
	assert.Empty(t, interpreter(t, program))
}

func TestTheImageDrydockImagesHasNoOtherProgram(t *testing.T) {
	images(t)
	names, program := files(t, "drydock-images:local", "usr/bin/drydock-images")
	assert.NotEmpty(t, interpreter(t, program), "it links libvips")
	var programs []string
	for _, name := range names {
		if strings.Contains(name, "bin/") {
			programs = append(programs, name)
		}
	}
	assert.Equal(t, []string{"usr/bin/drydock-images"}, programs, "no shell, no package manager")
	assert.Contains(t, names, "etc/ssl/certs/ca-certificates.crt")
	assert.Contains(t, names, "var/lib/dpkg/status.d/libvips42", "those who look for vulnerable libraries are told the versions")
}
