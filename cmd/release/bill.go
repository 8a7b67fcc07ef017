package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// The parts of an SPDX 2.3 document that we fill.
type spdxDocument struct {
	SPDXVersion       string             `json:"spdxVersion"`
	DataLicense       string             `json:"dataLicense"`
	SPDXID            string             `json:"SPDXID"`
	Name              string             `json:"name"`
	DocumentNamespace string             `json:"documentNamespace"`
	CreationInfo      spdxCreation       `json:"creationInfo"`
	Packages          []spdxPackage      `json:"packages"`
	Relationships     []spdxRelationship `json:"relationships"`
}

type spdxCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	SPDXID           string          `json:"SPDXID"`
	Name             string          `json:"name"`
	VersionInfo      string          `json:"versionInfo"`
	DownloadLocation string          `json:"downloadLocation"`
	FilesAnalyzed    bool            `json:"filesAnalyzed"`
	LicenseDeclared  string          `json:"licenseDeclared,omitempty"`
	ExternalRefs     []spdxReference `json:"externalRefs,omitempty"`
}

type spdxReference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type spdxRelationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

// bill writes the software bill of materials of a program: the modules that the linker says are in it.
func (r *release) bill(w io.Writer, name, base, program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	sum, err := digest(program)
	if err != nil {
		return err
	}
	document := spdxDocument{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", Name: base,
		DocumentNamespace: "https://egk8s.dev/spdx/" + base + "-" + sum,
		CreationInfo:      spdxCreation{Created: r.date.Format("2006-01-02T15:04:05Z"), Creators: []string{"Tool: egk8s-release"}},
		Packages: []spdxPackage{{
			SPDXID: "SPDXRef-program", Name: name, VersionInfo: r.Version, DownloadLocation: "NOASSERTION", LicenseDeclared: "Apache-2.0",
		}},
		Relationships: []spdxRelationship{{"SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-program"}},
	}
	modules := append([]*debug.Module{{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")}}, info.Deps...)
	for _, module := range modules {
		if module.Replace != nil {
			module = module.Replace
		}
		p := dependency(module)
		document.Packages = append(document.Packages, p)
		document.Relationships = append(document.Relationships, spdxRelationship{"SPDXRef-program", "DEPENDS_ON", p.SPDXID})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

func dependency(module *debug.Module) spdxPackage {
	return spdxPackage{
		// The names of modules hold letters that an SPDX id must not have.
		SPDXID: fmt.Sprintf("SPDXRef-module-%x", sha256.Sum256([]byte(module.Path)))[:40], Name: module.Path, VersionInfo: module.Version,
		DownloadLocation: "NOASSERTION",
		ExternalRefs:     []spdxReference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + module.Path + "@" + strings.ReplaceAll(module.Version, "+", "%2B")}},
	}
}
