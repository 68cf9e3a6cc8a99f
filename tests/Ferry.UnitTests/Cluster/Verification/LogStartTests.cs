using System.Text;
using Ferry.Cluster.Diagnosis;
using Ferry.Cluster.Verification.Access;
using Xunit;

namespace Ferry.UnitTests.Cluster.Verification;

/// <summary>From when on a log file is read: times in every form that the components write.</summary>
public sealed class LogStartTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeZoneInfo Zone = TimeZoneInfo.CreateCustomTimeZone("here", TimeSpan.FromHours(2), "here", "here");

    [Theory]
    [InlineData("2026-03-02T11:00:01.5Z", "2026-03-02T11:00:01.5Z")]
    [InlineData("2026-03-02 13:00:01", "2026-03-02T11:00:01Z")]            // Without a zone: the process'.
    [InlineData("2026-03-02 13:00:01,250", "2026-03-02T11:00:01.25Z")]
    [InlineData("2026-03-02 13:00:01+0200", "2026-03-02T11:00:01Z")]
    [InlineData("03-02 13:00:01", "2026-03-02T11:00:01Z")]                 // vLLM names no year.
    [InlineData("12-31 23:00:00", "2025-12-31T21:00:00Z")]
    [InlineData("1772449201.250000", "2026-03-02T11:00:01.25Z")]           // UCX.
    [InlineData("I0302 13:00:01.500000", "2026-03-02T11:00:01.5Z")]        // klog.
    [InlineData("13:00:01.5", "2026-03-02T11:00:01.5Z")]                   // Ferry names no day.
    [InlineData("23:00:00", "2026-03-01T21:00:00Z")]
    public void TryInstant_OfATimeAsWritten_IsTheLastSuchMoment(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), LogTime.TryInstant(text, Now, Zone));

    [Theory]
    [InlineData("99-99 99:99:99")]
    [InlineData("2026-13-02 13:00:01")]
    [InlineData("29:00:00")]
    public void TryInstant_OfNoTime_IsNull(string text) => Assert.Null(LogTime.TryInstant(text, Now, Zone));

    [Fact]
    public async Task Find_InALogOfTwoRuns_IsTheFirstLineOfTheSecond()
    {
        var first = "INFO 03-02 10:00:00 [a.py:1] one\n  no time here\n" + new string('x', 200_000) + "\nERROR 03-02 10:00:01 [a.py:2] two\n";
        var second = "INFO 03-02 13:00:00 [a.py:1] three\n  and on\n";
        Assert.Equal(first.Length, await FindAsync(first + second));
        Assert.Equal(first.Length, await FindAsync(first));          // Nothing since.
        Assert.Equal(0, await FindAsync(second));
        Assert.Equal(0, await FindAsync("no time\nat all\n"));     // Nobody can tell: all of it.
        Assert.Equal(0, await FindAsync(""));
    }

    [Fact]
    public async Task Find_WithLinesAcrossEveryPieceOfTheFile_MissesNone()
    {
        for (var pad = 65_400; pad < 65_600; pad += 7)
        {
            var old = "INFO 03-02 10:00:00 " + new string('x', pad) + "\n";
            Assert.Equal(old.Length, await FindAsync(old + "INFO 03-02 13:00:00 new\n"));
        }
    }

    private static Task<long> FindAsync(string log) =>
        LogStart.FindAsync(new MemoryStream(Encoding.UTF8.GetBytes(log)), Now.AddHours(-2), Now, Zone, TestContext.Current.CancellationToken);
}
