using System.Text.RegularExpressions;
using Xunit;

namespace Ferry.UnitTests.Tidy;

public sealed partial class SourceTests
{
    /// <summary>Files that may be longer than the limit, with the length they had when they were let in: it only falls.</summary>
    private static readonly Dictionary<string, int> LongFiles = new()
    {
    };

    private const int LinesMax = 400; // House style: a person reads a file in one sitting.

    [Fact]
    public void Files_OfTheProduct_AreShortEnoughToRead()
    {
        var tooLong = Repository.CSharpFiles("src", "tests", "bench")
            .Select(file => (file, lines: Repository.Read(file).Count(c => c == '\n')))
            .Where(entry => entry.lines > LongFiles.GetValueOrDefault(entry.file, LinesMax))
            .Select(entry => $"{entry.file}: {entry.lines} lines, the limit is {LongFiles.GetValueOrDefault(entry.file, LinesMax)}");
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Unsafe_InTheProduct_StandsOnlyWhereMemoryIsOwned()
    {
        string[] allowed = ["src/Ferry.Engine/Kernels/", "src/Ferry.Engine/KvCache/", "src/Ferry.Engine/Model/", "src/Ferry.Cache/Arena/", "src/Ferry.Transfer/", "src/Ferry.Kv/Conversion/", "src/Ferry.Kv/Records/RecordChecksum.cs", "src/Ferry.Cache.Remote/Fronts/SocketGather.cs"];
        var elsewhere = Repository.CSharpFiles("src")
            .Where(file => !allowed.Any(file.StartsWith) && UnsafeWord().IsMatch(Repository.Read(file)));
        Assert.Empty(elsewhere);
    }

    [Fact]
    public void BannedSymbols_InTheProduct_AreNotSwitchedOffSilently()
    {
        var silent = Repository.CSharpFiles("src")
            .SelectMany(file => Repository.Read(file).Split('\n').Select((line, index) => (file, line, index)))
            .Where(entry => entry.line.Contains("#pragma warning disable RS0030", StringComparison.Ordinal) && !entry.line.Contains("//", StringComparison.Ordinal))
            .Select(entry => $"{entry.file}:{entry.index + 1}: say why behind the pragma");
        Assert.Empty(silent);
    }

    [Fact]
    public void Sources_Everywhere_HoldNothingUnfinished()
    {
        var unfinished = Repository.CSharpFiles("src", "tests", "bench")
            .Where(file => !file.Contains("/Tidy/", StringComparison.Ordinal))
            .SelectMany(file => Repository.Read(file).Split('\n').Select((line, index) => (file, line, index)))
            .Where(entry => Unfinished().IsMatch(entry.line))
            .Select(entry => $"{entry.file}:{entry.index + 1}: {entry.line.Trim()}");
        Assert.Empty(unfinished);
    }

    [Fact]
    public void Folders_OfTheProduct_AreNamedAfterWhatTheyDo()
    {
        string[] empty = ["Common", "Helpers", "Utils", "Interfaces", "Dtos"];
        Assert.DoesNotContain(Repository.CSharpFiles("src"), file => file.Split('/').Any(empty.Contains));
    }

    [GeneratedRegex(@"\bunsafe\b(?=\s+(static|void|class|struct|partial|byte|int|float|internal|public|private|readonly|ref|fixed|\{)|\s*$)", RegexOptions.Multiline)]
    private static partial Regex UnsafeWord();

    [GeneratedRegex(@"NotImplementedException|\bTODO(?! #\d)|\bFIXME\b|\bHACK\b|catch\s*\{\s*\}|catch \(Exception\)\s*\{\s*\}|Skip\s*=\s*""""|Assert\.True\(true")]
    private static partial Regex Unfinished();
}
