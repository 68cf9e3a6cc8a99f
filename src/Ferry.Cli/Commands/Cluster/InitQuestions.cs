using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;
using Spectre.Console;

namespace Ferry.Cli.Commands.Cluster;

/// <summary>What <c>ferry init</c> asks a person: one question each, with the default first.</summary>
internal sealed class InitQuestions(IAnsiConsole console)
{
    public EngineKind Engine() => Choose("What serves the model?", Enum.GetValues<EngineKind>(), Named);

    public TransportKind Transport() => Choose("Which network connects the nodes?", Enum.GetValues<TransportKind>(), Named);

    public StorageKind Storage() => Choose(
        "What do all nodes share?", Enum.GetValues<StorageKind>(),
        kind => kind switch
        {
            StorageKind.None => "nothing: hand-over only",
            StorageKind.S3 => "a bucket: Ceph or any S3",
            StorageKind.Redis => "a Redis or Valkey",
            _ => "a mounted directory: CephFS, NFS",
        });

    public string Model(string usual) => Text("Which model? (Hugging Face id or directory)", usual);

    /// <param name="role">prefill or decode.</param>
    public string Accelerator(string role, string usual) => Choose(
        $"Which accelerators do the {role} nodes have?", [usual, .. AcceleratorProfiles.ByName.Keys.Where(name => name != usual)], name => name);

    /// <summary>Hosts between blanks or commas.</summary>
    public IReadOnlyList<string> Addresses(string role)
    {
        var placeholder = $"<{role}-ip>";
        var answer = Text($"Addresses of the {role} nodes?", placeholder);
        return answer.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } hosts ? hosts : [placeholder];
    }

    public string Text(string question, string usual) => console.Prompt(new TextPrompt<string>(Markup.Escape(question)).DefaultValue(usual)).Trim();

    private T Choose<T>(string title, IEnumerable<T> choices, Func<T, string> words)
        where T : notnull =>
        console.Prompt(new SelectionPrompt<T>().Title(title).AddChoices(choices).UseConverter(choice => Markup.Escape(words(choice))));

    private static string Named<T>(T value)
        where T : struct, Enum => $"{SpecNames.Of(value)}: {SpecNames.TextOf(value)}";
}
