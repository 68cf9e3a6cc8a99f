using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Ferry.Cli.Logs;

/// <summary>Writes one line. Whatever stands in a message, a line stays one line.</summary>
internal static class LogLine
{
    /// <summary>The template is not what anybody looks for: its values are there by name.</summary>
    private const string Template = "{OriginalFormat}";

    private static readonly SearchValues<char> Breaks = SearchValues.Create("\r\n\u0085\u2028\u2029");

    /// <summary>As .NET's own console writes it on a single line.</summary>
    public static void WriteText(IBufferWriter<byte> line, DateTimeOffset now, LogLevel level, string category, EventId eventId, string message, Exception? exception)
    {
        Span<char> time = stackalloc char[16];
        now.TryFormat(time, out var length, "HH:mm:ss.fff ", CultureInfo.InvariantCulture);
        Write(line, time[..length]);
        line.Write(NameOf(level));
        line.Write(": "u8);
        Write(line, category);
        line.Write("["u8);
        eventId.Id.TryFormat(time, out length, default, CultureInfo.InvariantCulture);
        Write(line, time[..length]);
        line.Write("] "u8);
        Write(line, OnOneLine(message));
        if (exception is not null)
        {
            line.Write(" "u8);
            Write(line, OnOneLine(exception.ToString()));
        }
        line.Write("\n"u8);
    }

    public static void WriteJson(
        IBufferWriter<byte> line, DateTimeOffset now, LogLevel level, string category, EventId eventId, IReadOnlyList<KeyValuePair<string, object?>> values, string message, Exception? exception)
    {
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("time", now);
            json.WriteString("level", NameOf(level));
            json.WriteString("category", category);
            json.WriteNumber("event", eventId.Id);
            json.WriteString("message", message);
            if (exception is not null)
            {
                json.WriteString("exception", exception.ToString());
            }
            foreach (var (name, value) in values)
            {
                if (name != Template)
                {
                    json.WritePropertyName(name);
                    WriteValue(json, value);
                }
            }
            json.WriteEndObject();
        }
        line.Write("\n"u8);
    }

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case int number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            default: json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private static ReadOnlySpan<byte> NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce"u8,
        LogLevel.Debug => "dbug"u8,
        LogLevel.Information => "info"u8,
        LogLevel.Warning => "warn"u8,
        LogLevel.Error => "fail"u8,
        _ => "crit"u8,
    };

    private static string OnOneLine(string text) => text.AsSpan().ContainsAny(Breaks) ? text.ReplaceLineEndings(" ") : text;

    private static void Write(IBufferWriter<byte> line, ReadOnlySpan<char> text)
    {
        var bytes = line.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        line.Advance(Encoding.UTF8.GetBytes(text, bytes));
    }
}
