using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ferry.Cli.Up;

/// <summary>A story and questions about it, whose answers stand in the story.</summary>
internal sealed record DemoDocument(string Text, IReadOnlyList<DemoQuestion> Questions)
{
    private const string FileName = "demo.json";

    /// <summary>For models that bring none: facts that any instructed model can read back.</summary>
    private static readonly DemoDocument BuiltIn = new(
        string.Concat(Enumerable.Range(1, 12).Select(day =>
            $"On day {day} of the voyage the ferry Aurora carried {day * 7} passengers across the bay. The captain wrote in the log that the sea was calm and the lamps were lit at dusk. ")) +
        "The captain of the Aurora was called Ines, and her lantern was green.",
        [new DemoQuestion("What was the captain called?", "Ines"), new DemoQuestion("What colour was her lantern?", "green")]);

    /// <summary>The first document of the model's own <c>demo.json</c>, or the built-in one.</summary>
    /// <exception cref="UpException">The file is there but does not hold a document with two questions.</exception>
    public static DemoDocument Load(string modelDirectory)
    {
        var path = Path.Combine(modelDirectory, FileName);
        if (!File.Exists(path))
        {
            return BuiltIn;
        }
        try
        {
            var first = JsonNode.Parse(File.ReadAllText(path))!["documents"]![0]!;
            var questions = first["questions"]!.AsArray().Select(q => new DemoQuestion((string)q!["question"]!, (string)q["answer"]!)).ToArray();
            return questions.Length >= 2
                ? new DemoDocument((string)first["text"]!, questions)
                : throw new UpException($"{path}: the first document has {questions.Length} questions; two are needed.");
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            throw new UpException($"{path} is not a demo file ({e.Message}). Remove it, or give documents[].text and documents[].questions[].question/answer.");
        }
    }

    public string Prompt(int question) => $"{Text}\n{Questions[question].Question}";
}
