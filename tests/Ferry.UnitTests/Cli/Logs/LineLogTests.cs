using System.Text;
using System.Text.Json;
using Ferry.Cli.Logs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Cli.Logs;

#pragma warning disable CA1848, CA1873 // What loggers do with any message is what is tested.

public sealed class LineLogTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 1, 2, 17, 23, 4, 118, TimeSpan.Zero));
    private readonly CountedStream _output = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public void Lines_OfAMoment_AreWrittenTogetherAsTheConsoleWritesThem()
    {
        using var log = new LineLog(_output, LogFormat.Text, _clock);
        var logger = log.CreateLogger("Ferry.Router");
        logger.Log(LogLevel.Information, new EventId(6000), "first", null, static (state, _) => state);
        logger.Log(LogLevel.Information, new EventId(7), "second", null, static (state, _) => state);
        Assert.Equal(0, _output.Writes);
        _clock.Advance(LineLog.Pause);
        Assert.Equal("17:23:04.118 info: Ferry.Router[6000] first\n17:23:04.118 info: Ferry.Router[7] second\n", _output.Text);
        Assert.Equal(1, _output.Writes);
        _clock.Advance(LineLog.Pause);
        Assert.Equal(1, _output.Writes);
    }

    [Fact]
    public void Warnings_WaitForNobody()
    {
        using var log = new LineLog(_output, LogFormat.Text, _clock);
        var logger = log.CreateLogger("Ferry");
        logger.Log(LogLevel.Information, default, "before", null, static (state, _) => state);
        logger.Log(LogLevel.Error, default, "now", null, static (state, _) => state);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(["17:23:04.118 info: Ferry[0] before", "17:23:04.118 fail: Ferry[0] now"], _output.Text.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData("a\nb", "a b")]
    [InlineData("a\r\nb\u2028c", "a b c")]
    public void Line_WithBreaksInIt_StaysOneLine(string message, string written)
    {
        using (var log = new LineLog(_output, LogFormat.Text, _clock))
        {
            log.CreateLogger("Ferry").Log(LogLevel.Information, default, message, new InvalidOperationException("x\ny"), static (state, _) => state);
        }
        Assert.Equal($"17:23:04.118 info: Ferry[0] {written} System.InvalidOperationException: x y\n", _output.Text);
    }

    [Fact]
    public void Json_OfAMessageWithValues_HasEachByItsName()
    {
        using (var log = new LineLog(_output, LogFormat.Json, _clock))
        {
            log.CreateLogger("Ferry").LogInformation(new EventId(9, "x"), "{RequestId} took {Milliseconds} ms, {Tokens}, {Node}", "r\n1", 1.5, 7, null);
        }
        Assert.Equal(1, _output.Text.Count(character => character == '\n'));
        var line = JsonDocument.Parse(_output.Text).RootElement;
        Assert.Equal("info", line.GetProperty("level").GetString());
        Assert.Equal(9, line.GetProperty("event").GetInt32());
        Assert.Equal("r\n1", line.GetProperty("RequestId").GetString());
        Assert.Equal(1.5, line.GetProperty("Milliseconds").GetDouble());
        Assert.Equal(7, line.GetProperty("Tokens").GetInt32());
        Assert.Equal(JsonValueKind.Null, line.GetProperty("Node").ValueKind);
        Assert.Equal(_clock.GetUtcNow(), line.GetProperty("time").GetDateTimeOffset());
    }

    [Fact]
    public void Lines_ThatNobodyReads_AreLeftOutAndSaidToBe()
    {
        using var log = new LineLog(_output, LogFormat.Text, _clock);
        var logger = log.CreateLogger("Ferry");
        var message = new string('x', 64 << 10);
        for (var line = 0; line < 40; line++) { logger.Log(LogLevel.Information, default, message, null, static (state, _) => state); }
        _clock.Advance(LineLog.Pause);
        var lines = _output.Text.TrimEnd('\n').Split('\n');
        Assert.InRange(_output.Text.Length, LineLog.MaxPendingBytes, LineLog.MaxPendingBytes + message.Length + 200);
        Assert.Equal($"{40 - (lines.Length - 1)} log lines were left out: standard error was not read", lines[^1]);
        logger.Log(LogLevel.Information, default, "again", null, static (state, _) => state);
        _clock.Advance(LineLog.Pause);
        Assert.EndsWith("again\n", _output.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_OfManyThreads_AreAllThereAndWhole()
    {
        using (var log = new LineLog(_output, LogFormat.Text, TimeProvider.System))
        {
            Parallel.For(0, 8, thread =>
            {
                var logger = log.CreateLogger("Ferry");
                for (var line = 0; line < 500; line++) { logger.Log(LogLevel.Information, new EventId(thread), $"<{thread}.{line}>", null, static (state, _) => state); }
            });
        }
        var lines = _output.Text.TrimEnd('\n').Split('\n');
        Assert.Equal(4000, lines.Select(line => line[line.IndexOf('<', StringComparison.Ordinal)..]).Distinct().Count());
        Assert.All(lines, line => Assert.EndsWith(">", line, StringComparison.Ordinal));
    }

    private sealed class CountedStream : MemoryStream
    {
        public int Writes { get; private set; }

        public string Text => Encoding.UTF8.GetString(ToArray());

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Writes++;
            base.Write(buffer);
        }
    }
}
