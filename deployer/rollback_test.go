package deployer

import (
	"errors"
	"testing"

	"egk8s.dev/egk8s/deployer/release"
)

// TestChoose: which revision a rollback goes back to.
func TestChoose(t *testing.T) {
	t.Parallel()
	record := func(revision int, status release.Status, manifest string) *release.Record {
		return &release.Record{Revision: revision, Status: status, Manifest: manifest}
	}
	const superseded, deployed, failed = release.Superseded, release.Deployed, release.Failed
	tests := map[string]struct {
		records []*release.Record
		wanted  int
		want    int // 0: there is none
	}{
		"the one before":                  {[]*release.Record{record(1, superseded, "a"), record(2, deployed, "b")}, 0, 1},
		"not one that is the same":        {[]*release.Record{record(1, superseded, "a"), record(2, superseded, "b"), record(3, deployed, "b")}, 0, 1},
		"not one that failed":             {[]*release.Record{record(1, superseded, "a"), record(2, failed, "b"), record(3, deployed, "c")}, 0, 1},
		"what serves, after a failure":    {[]*release.Record{record(1, superseded, "a"), record(2, deployed, "b"), record(3, failed, "c")}, 0, 2},
		"what serves, after a killed run": {[]*release.Record{record(1, deployed, "a"), record(2, release.PendingUpgrade, "b")}, 0, 1},
		"nothing before the first":        {[]*release.Record{record(1, deployed, "a")}, 0, 0},
		"nothing but failures":            {[]*release.Record{record(1, failed, "a"), record(2, failed, "b")}, 0, 0},
		"the wanted one":                  {[]*release.Record{record(1, superseded, "a"), record(2, superseded, "b"), record(3, deployed, "c")}, 1, 1},
		"a failed one that is wanted":     {[]*release.Record{record(1, failed, "a"), record(2, deployed, "b")}, 1, 1},
		"one that is not recorded":        {[]*release.Record{record(4, superseded, "a"), record(5, deployed, "b")}, 2, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := choose(&release.History{Records: test.records}, test.wanted)
			var settings *SettingsError
			switch {
			case test.want == 0 && !errors.As(err, &settings):
				t.Errorf("got %v, %v; want a SettingsError", got, err)
			case test.want != 0 && (err != nil || got.Revision != test.want):
				t.Errorf("got %v, %v; want revision %d", got, err, test.want)
			}
		})
	}
}
