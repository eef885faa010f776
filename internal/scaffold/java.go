package scaffold

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

func javaProject(s *scan, folder string) *project {
	maven := s.read(folder, "pom.xml")
	gradle := s.has(folder, "build.gradle", "build.gradle.kts")
	if maven == "" && gradle == "" {
		return nil
	}
	p := &project{folder: folder}
	if maven != "" {
		version := javaRelease(cmp.Or(find(maven, `<maven\.compiler\.release>\s*([\d.]+)`), find(maven, `<java\.version>\s*([\d.]+)`), find(maven, `<maven\.compiler\.target>\s*([\d.]+)`)))
		image, tool := "maven:3-eclipse-temurin-"+version, "mvn"
		if wrapper := s.program(folder, "mvnw"); wrapper != "" {
			image, tool = "eclipse-temurin:"+version, wrapper
		}
		if strings.Contains(maven, "<modules>") {
			p.members = []string{"**"}
		}
		s.saw(path.Join(folder, "pom.xml"), "Java %s with Maven: verify", version)
		p.steps = []step{{name: "verify", image: image, commands: []string{tool + " --batch-mode verify"}}}
		return p
	}
	text := s.read(folder, gradle)
	version := javaRelease(cmp.Or(find(text, `JavaLanguageVersion\.of\((\d+)\)`), find(text, `JavaVersion\.VERSION_(\d[\d_]*)`), find(text, `jvmToolchain\((\d+)\)`), find(text, `sourceCompatibility\s*=\s*['"]?([\d.]+)`)))
	image, tool := "gradle:8-jdk"+version, "gradle"
	if !older(version, "25") { // which 8 does not know
		image = "gradle:9-jdk" + version
	}
	if wrapper := s.program(folder, "gradlew"); wrapper != "" {
		image, tool = "eclipse-temurin:"+version, wrapper
	}
	if s.has(folder, "settings.gradle", "settings.gradle.kts") != "" {
		p.members = []string{"**"}
	}
	s.saw(path.Join(folder, gradle), "Java %s with Gradle: build", version)
	p.steps = []step{{name: "build", image: image, commands: []string{tool + " --no-daemon build"}}}
	return p
}

// javaRelease is a release for which there are images: the first of those that
// are maintained for long from the one that is asked for.
func javaRelease(asked string) string {
	asked = strings.TrimPrefix(strings.ReplaceAll(asked, "_", "."), "1.")
	n, err := strconv.Atoi(strings.Split(asked, ".")[0])
	if err != nil {
		return defaultJava
	}
	lasting := []int{8, 11, 17, 21, 25}
	if i := slices.IndexFunc(lasting, func(v int) bool { return v >= n }); i >= 0 {
		return strconv.Itoa(lasting[i])
	}
	return strconv.Itoa(n)
}
