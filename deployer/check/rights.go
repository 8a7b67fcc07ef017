package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorization "k8s.io/api/authorization/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"egk8s.dev/egk8s/deployer/cluster"
)

// rights compares what this user may do in the namespace with the published Role: one request.
func rights(ctx context.Context, in Input) []Finding {
	unknown := func(why string) []Finding {
		return []Finding{{Code: "rights-unknown", Severity: Warning, Message: "cannot see what this user may do: " + why}}
	}
	var role rbac.Role
	if err := yaml.Unmarshal([]byte(in.Role), &role); err != nil {
		return unknown(err.Error())
	}
	u, err := in.Cluster.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
		"spec": map[string]any{"namespace": in.Namespace},
	}})
	if err != nil {
		return unknown(err.Error())
	}
	var review authorization.SelfSubjectRulesReview
	if err := cluster.Decode(u, &review); err != nil {
		return unknown(err.Error())
	}
	missing := lacking(role.Rules, review.Status.ResourceRules)
	switch {
	case len(missing) == 0:
		return nil
	case review.Status.Incomplete: // a webhook decides, and only asking tells
		return unknown("the cluster's authorizer does not list it")
	}
	return []Finding{{
		Code: "rights-missing", Severity: Error, Message: "this user may not " + strings.Join(missing, "; nor "),
		Hint: "egk8s help rbac prints the Role that a deploy needs",
	}}
}

// lacking lists what the Role allows and the rules do not: "create, patch leases.coordination.k8s.io".
func lacking(want []rbac.PolicyRule, have []authorization.ResourceRule) []string {
	var out []string
	for _, rule := range want {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				verbs := slices.DeleteFunc(slices.Clone(rule.Verbs), func(verb string) bool { return allows(have, group, resource, verb) })
				if len(verbs) == 0 {
					continue
				}
				name := resource
				if group != "" {
					name += "." + group
				}
				out = append(out, fmt.Sprintf("%s %s", strings.Join(verbs, ", "), name))
			}
		}
	}
	return out
}

func allows(rules []authorization.ResourceRule, group, resource, verb string) bool {
	has := func(list []string, value string) bool {
		return slices.Contains(list, value) || slices.Contains(list, "*")
	}
	return slices.ContainsFunc(rules, func(r authorization.ResourceRule) bool {
		return len(r.ResourceNames) == 0 && has(r.APIGroups, group) && has(r.Resources, resource) && has(r.Verbs, verb)
	})
}
