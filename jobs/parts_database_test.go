package jobs_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance/parity"
)

func TestDatabaseOnTheEmulator(t *testing.T) {
	t.Parallel()
	testDatabase(t, emulated(t, "127.0.0.1"))
}

func TestDatabaseOnTheRealCluster(t *testing.T) {
	t.Parallel()
	testDatabase(t, real(t))
}

func testDatabase(t *testing.T, c cluster) {
	const password = `it's \ "secret" & <safe>`
	c.put(t, "postgres", map[string]string{"password": password})
	c.deploy(t, "postgres", map[string]string{
		"binary": program(t, "postgres"), "client_port": fmt.Sprint(parity.FreePorts(t, 1)[0]), "user": databaseUser(t),
	})
	address := c.address(t, "postgres")
	_, err := query(t, address, "wrong", "SELECT 1")
	require.ErrorContains(t, err, "password authentication failed")
	_, err = query(t, address, password, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('here')")
	require.NoError(t, err)
	for setting, value := range map[string]string{"data_checksums": "on", "fsync": "on", "synchronous_commit": "on"} {
		found, err := query(t, address, password, "SHOW "+setting)
		require.NoError(t, err)
		assert.Equal(t, value, found, setting)
	}
	stored, err := query(t, address, password, "SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(stored, "SCRAM-SHA-256$"), "the password is not kept as it is")

	c.restart(t, "postgres") // prepares again, too
	c.isKept(t, password)
	c.put(t, "postgres", map[string]string{"password": "another"})
	c.isKept(t, "another")
	_, err = query(t, address, password, "SELECT 1")
	require.ErrorContains(t, err, "password authentication failed", "the old password")
}

// isKept waits for the database, and for what was written to it.
func (c cluster) isKept(t *testing.T, password string) {
	t.Helper()
	eventually(t, "what was written is read", func() error {
		word, err := query(t, c.address(t, "postgres"), password, "SELECT word FROM kept")
		if err == nil && word != "here" {
			err = fmt.Errorf("it is %q", word)
		}
		return err
	})
}

// databaseUser is whom the server can run as: root it refuses.
func databaseUser(t *testing.T) string {
	if os.Getuid() != 0 {
		return ""
	}
	_, err := user.Lookup("postgres")
	require.NoError(t, err, "as root, the test needs the user that PostgreSQL's packages make")
	return "postgres"
}

// query asks the database with the official program.
func query(t *testing.T, address, password, statement string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	command := exec.Command("psql", "-h", host, "-p", port, "-U", "postgres", "-d", "postgres", "-w", "-At", "-c", statement)
	command.Env = append(os.Environ(), "PGPASSWORD="+password)
	output, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return strings.TrimSpace(string(output)), nil
}
