using System.Text.RegularExpressions;
using Xunit;

namespace Ferry.UnitTests.Tidy;

/// <summary>Names in documents rot unless something reads them: every link leads somewhere, every type and command exists.</summary>
public sealed partial class DocsTests
{
    private static readonly Lazy<string> AllSources =
        new(() => string.Join('\n', Repository.CSharpFiles("src", "tests", "bench").Select(Repository.Read)));

    public static TheoryData<string> Pages() =>
        [.. Repository.Files("*.md", "docs").Append("README.md").Append("CHANGELOG.md")];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_OfThePage_LeadToFiles(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        foreach (Match link in RelativeLink().Matches(Repository.Read(page)))
        {
            var target = Path.GetFullPath(Path.Combine(folder, link.Groups["path"].Value));
            Assert.True(File.Exists(target) || Directory.Exists(target), $"{page}: {link.Value} leads nowhere.");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void TypeNames_OfThePage_Exist(string page)
    {
        foreach (Match name in TypeName().Matches(Repository.Read(page)))
        {
            var last = name.Groups["name"].Value.Split('.')[^1];
            Assert.True(Regex.IsMatch(AllSources.Value, $@"\b{last}\b") || Directory.Exists(Path.Combine(Repository.Root, "src", name.Groups["name"].Value)),
                $"{page}: `{name.Groups["name"].Value}` is in no source file.");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Commands_OfThePage_Exist(string page)
    {
        foreach (Match command in FerryCommand().Matches(Repository.Read(page)))
        {
            var file = $"{char.ToUpperInvariant(command.Groups["name"].Value[0])}{command.Groups["name"].Value[1..]}Command.cs";
            Assert.True(Repository.Files(file, "src/Ferry.Cli/Commands").Any(), $"{page}: `{command.Value}` but there is no {file} in src/Ferry.Cli/Commands.");
        }
    }

    [Fact]
    public void Readme_IsShortEnoughForOneScreenOrTwo() =>
        Assert.True(Repository.Read("README.md").Split('\n').Length <= 100);

    [GeneratedRegex(@"\]\((?<path>(?!https?:|#|mailto:)[^)#\s]+)(#[^)]*)?\)")]
    private static partial Regex RelativeLink();

    /// <summary>A backticked word in Pascal case with at least two humps: a type, a member or a project.</summary>
    [GeneratedRegex(@"`(?<name>(Ferry\.)?[A-Z][a-z0-9]+[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]+)*|Ferry\.[A-Za-z.]+|I[A-Z][a-z]+[A-Za-z]*)`")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"(?<![\w/-])(\./)?ferry (?<name>[a-z]{2,})\b(?=[^\n]*`)|\./ferry (?<name>[a-z]{2,})\b")]
    private static partial Regex FerryCommand();
}
