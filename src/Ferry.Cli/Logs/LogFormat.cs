namespace Ferry.Cli.Logs;

/// <summary>How a log line is written.</summary>
internal enum LogFormat
{
    /// <summary><c>17:23:04.118 info: Category[6000] message</c>.</summary>
    Text,

    /// <summary>One JSON object, with the message's values by their names.</summary>
    Json,
}
