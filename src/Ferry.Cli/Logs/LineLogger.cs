using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Logs;

/// <summary>The log of one category.</summary>
internal sealed class LineLogger(LineLog log, string category) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            log.Take(category, logLevel, eventId, state, formatter(state, exception), exception);
        }
    }
}
