using System.Text.RegularExpressions;
using Xunit;

namespace Ferry.UnitTests.Tidy;

public sealed partial class EventIdTests
{
    private static readonly Dictionary<string, int> FirstIds = new()
    {
        ["Ferry.Kv"] = 1000,
        ["Ferry.Cache"] = 2000,
        ["Ferry.Transfer"] = 3000,
        ["Ferry.Engine"] = 4000,
        ["Ferry.Cache.Remote"] = 5000,
        ["Ferry.Router"] = 6000,
        ["Ferry.Serving"] = 7000,
        ["Ferry.Cli"] = 8000,
        ["Ferry.Cluster"] = 9000,
    };

    [Fact]
    public void EventIds_InTheWholeProduct_AreUniqueAndInTheirProjectsRange()
    {
        var seen = new Dictionary<int, string>();
        foreach (var file in Repository.CSharpFiles("src"))
        {
            var first = FirstIds[file.Split('/')[1]];
            foreach (Match match in LoggerMessage().Matches(Repository.Read(file)))
            {
                Assert.True(match.Groups["id"].Success, $"{file}: a [LoggerMessage] without an event id: {match.Value}");
                var id = int.Parse(match.Groups["id"].Value);
                Assert.True(id >= first && id < first + 1000, $"{file}: event id {id} lies outside {first}..{first + 999}.");
                Assert.True(seen.TryAdd(id, file), $"{file}: event id {id} is taken by {seen.GetValueOrDefault(id)}.");
            }
        }
        Assert.NotEmpty(seen);
    }

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(?<id>\d+)?[^)\]]")]
    private static partial Regex LoggerMessage();
}
