package cloudapi

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"egk8s.dev/egk8s/deployer/cloud/triton"
)

func (s *Server) serveRules(r *http.Request, path []string) (answer, error) {
	if len(path) == 0 && r.Method == http.MethodGet {
		list := make([]any, len(s.rules))
		for i, rule := range s.rules {
			list[i] = rule
		}
		return answer{body: list, header: map[string]string{}}, nil
	}
	if len(path) == 0 {
		rule := &triton.Rule{ID: uuid.NewString()}
		if err := fill(r, rule); err != nil {
			return answer{}, err
		}
		s.rules = append(s.rules, rule)
		return answer{status: http.StatusCreated, body: rule}, nil
	}
	i := slices.IndexFunc(s.rules, func(rule *triton.Rule) bool { return rule.ID == path[0] })
	if i < 0 {
		return answer{}, notFound("firewall rule")
	}
	rule := s.rules[i]
	switch {
	case len(path) == 2 && (path[1] == "enable" || path[1] == "disable"):
		rule.Enabled = path[1] == "enable"
	case r.Method == http.MethodDelete:
		s.rules = slices.Delete(s.rules, i, i+1)
		return answer{status: http.StatusNoContent}, nil
	case r.Method == http.MethodPost, r.Method == http.MethodPut:
		changed := *rule
		if err := fill(r, &changed); err != nil {
			return answer{}, err
		}
		*rule = changed
	}
	return answer{body: rule}, nil
}

// fill reads a rule from a body and judges its text as fwrule does; testdata/cloudapi/oracle proves that.
func fill(r *http.Request, rule *triton.Rule) error {
	body, err := readBody(r)
	if err != nil {
		return err
	}
	if text, ok := body["rule"].(string); ok {
		rule.Text = text
	}
	if rule.Text == "" {
		return &failure{http.StatusConflict, "MissingParameter", "rule is missing"}
	}
	if err := triton.CheckRule(rule.Text); err != nil {
		return invalid(err)
	}
	if enabled, ok := body["enabled"].(bool); ok {
		rule.Enabled = enabled
	}
	if description, ok := body["description"].(string); ok {
		rule.Description = description
	}
	return nil
}
