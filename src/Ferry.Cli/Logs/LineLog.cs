using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Logs;

/// <summary>Log lines, gathered for a moment and written together.</summary>
/// <remarks>
/// A server that logs each request would else wake one thread here and one at the other end of the pipe for each of them, which is a third of
/// what a small request costs a router (docs/measurements/router.md). Nobody who logs ever waits for whoever reads: what is more than
/// <see cref="MaxPendingBytes"/> is left out, and said to be.
/// </remarks>
internal sealed class LineLog : ILoggerProvider
{
    /// <summary>Lines that wait for a reader who does not read.</summary>
    public const int MaxPendingBytes = 1 << 20;

    /// <summary>How long a line waits for others. Warnings and worse do not.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Stream _output;
    private readonly LogFormat _format;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private readonly Lock _gathering = new();
    private readonly Lock _writing = new();
    private ArrayBufferWriter<byte> _pending = new(4096);
    private ArrayBufferWriter<byte> _spare = new(4096);
    private long _leftOut;
    private bool _isDue;

    /// <param name="output">Not owned: a process has one standard error.</param>
    public LineLog(Stream output, LogFormat format, TimeProvider clock)
    {
        (_output, _format, _clock) = (output, format, clock);
        _timer = clock.CreateTimer(static log => ((LineLog)log!).Flush(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public ILogger CreateLogger(string categoryName) => new LineLogger(this, categoryName);

    /// <summary>Writes what is there.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Flush();
    }

    internal void Take<TState>(string category, LogLevel level, EventId eventId, TState state, string message, Exception? exception)
    {
        lock (_gathering)
        {
            if (_pending.WrittenCount > MaxPendingBytes)
            {
                _leftOut++;
                return;
            }
            if (_format == LogFormat.Json)
            {
                LogLine.WriteJson(_pending, _clock.GetUtcNow(), level, category, eventId, state as IReadOnlyList<KeyValuePair<string, object?>> ?? [], message, exception);
            }
            else
            {
                LogLine.WriteText(_pending, _clock.GetLocalNow(), level, category, eventId, message, exception);
            }
            if (level >= LogLevel.Warning)
            {
                _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
            else if (!_isDue)
            {
                _timer.Change(Pause, Timeout.InfiniteTimeSpan);
            }
            _isDue = true;
        }
    }

    private void Flush()
    {
        lock (_writing)
        {
            ArrayBufferWriter<byte> lines;
            lock (_gathering)
            {
                _isDue = false;
                (lines, _pending, _spare) = (_pending, _spare, _pending);
                if (_leftOut > 0)
                {
                    lines.Write(Encoding.UTF8.GetBytes($"{_leftOut} log lines were left out: standard error was not read\n"));
                    _leftOut = 0;
                }
            }
            if (lines.WrittenCount == 0) { return; }
            try
            {
                _output.Write(lines.WrittenSpan);
                _output.Flush();
            }
            catch (IOException)
            {
                // The reader is gone; there is nobody to tell.
            }
            lines.ResetWrittenCount();
        }
    }
}
