using System.CommandLine;
using Ferry.Cli.Help;
using Ferry.Cluster.Schema;

namespace Ferry.Cli.Commands.Cluster;

/// <summary><c>ferry schema</c>: the JSON schema of ferry.yaml, for editors.</summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        var reference = new Option<bool>("--reference") { Description = "Print docs/ferry-yaml.md, the page of all keys, instead." };
        var command = new FerryCommand(
            "schema", "Print the JSON schema of ferry.yaml, with which editors complete and check it.",
            new CommandExample("ferry schema > ferry.schema.json", "then '# yaml-language-server: $schema=ferry.schema.json' as the first line of ferry.yaml"),
            new CommandExample("ferry schema --reference", "every key as a page to read"))
        {
            reference,
        };
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.WriteLine(
            parsed.GetValue(reference) ? SpecReference.ToMarkdown().TrimEnd('\n') : SpecSchema.Build().ToJsonString(JsonOutput.Format)));
        return command;
    }
}
