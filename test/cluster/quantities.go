package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Each line of stdin is a number in scientific notation and the quantity that Weir serves for it.
// The HPA controller takes a quantity's MilliValue, so it has to be that of the number itself, and
// the text has to be the one that Kubernetes would write.
func newQuantitiesCommand() *cobra.Command {
	return &cobra.Command{Use: "quantities", RunE: func(command *cobra.Command, _ []string) error {
		return compareQuantities(os.Stdin, command.OutOrStdout())
	}}
}

// The number with all of its digits down to 1n. Read twice: of a number with finer digits Kubernetes
// keeps an inf.Dec, whose MilliValue is wrong for negatives (1 for -0.1m, and -932 for -933.3m),
// and that of its canonical text, which is what a controller reads, is not.
func inNanos(number string) (resource.Quantity, error) {
	rounded, err := resource.ParseQuantity(number)
	if err != nil {
		return rounded, err
	}
	return resource.ParseQuantity(rounded.String())
}

func compareQuantities(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	count := 0
	for lines.Scan() {
		number, text, isPair := strings.Cut(lines.Text(), " ")
		if !isPair {
			return fmt.Errorf("%q is not a number and a quantity", lines.Text())
		}
		exact, err := inNanos(number)
		if err != nil {
			return fmt.Errorf("%s: %w", number, err)
		}
		served, err := resource.ParseQuantity(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		if exact.MilliValue() != served.MilliValue() {
			return fmt.Errorf("%s has the MilliValue %d, %s has %d",
				number, exact.MilliValue(), text, served.MilliValue())
		}
		if served.String() != text {
			return fmt.Errorf("%s: Kubernetes writes %s as %s", number, text, served.String())
		}
		count++
	}
	fmt.Fprintf(out, "%d quantities have the MilliValue of their number\n", count)
	return lines.Err()
}
