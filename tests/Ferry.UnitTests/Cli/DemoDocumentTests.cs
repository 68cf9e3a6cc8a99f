using Ferry.Cli.Up;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class DemoDocumentTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ferry-demo-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Load_ModelWithoutDemo_GivesADocumentThatHoldsItsAnswers()
    {
        var document = DemoDocument.Load(_directory);
        Assert.All(document.Questions, question => Assert.Contains(question.Answer, document.Text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"documents":[]}""")]
    [InlineData("""{"documents":[{"text":"a","questions":[{"question":"b","answer":"c"}]}]}""")]
    public void Load_DemoDamaged_NamesTheFile(string json)
    {
        File.WriteAllText(Path.Combine(_directory, "demo.json"), json);
        Assert.Contains("demo.json", Assert.Throws<UpException>(() => DemoDocument.Load(_directory)).Message, StringComparison.Ordinal);
    }
}
