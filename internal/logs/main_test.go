package logs

import (
	"os"
	"testing"

	"github.com/drone-laptop/drone/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.RunWithoutLeaks(m)) }
