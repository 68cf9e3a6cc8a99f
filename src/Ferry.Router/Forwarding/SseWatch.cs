using System.Text;
using Ferry.Router.Bodies;

namespace Ferry.Router.Forwarding;

/// <summary>What an event stream says, line by line: whether an event is open, whether it came to its end, whether it failed.</summary>
/// <param name="needsEnd">False: the API's streams just end.</param>
internal sealed class SseWatch(bool needsEnd = true)
{
    private const int MaxFailureBytes = 2048;

    /// <summary>Whether no event is open: what follows starts a new one.</summary>
    public bool IsAtEventEnd { get; private set; } = true;

    /// <summary>Whether the stream said that it is over: <c>[DONE]</c>, or the last event of the Responses API.</summary>
    public bool HasEnded { get; private set; } = !needsEnd;

    /// <summary>Events that carry output; comments, [DONE] and errors are none.</summary>
    public int DataEvents { get; private set; }

    /// <summary>The data of the first error event or of the first event that ended as "error"; null: none so far.</summary>
    public string? Failure { get; private set; }

    /// <param name="line">Without its line end.</param>
    /// <returns>The data when this line has output that may tell the usage; else empty.</returns>
    public ReadOnlySpan<byte> Take(ReadOnlySpan<byte> line)
    {
        line = line.TrimEnd((byte)'\r');
        IsAtEventEnd = line.IsEmpty;
        if (line.StartsWith("data:"u8))
        {
            return TakeData(line[5..].TrimStart((byte)' '));
        }
        if (line.StartsWith("event:"u8))
        {
            var name = line[6..].Trim((byte)' ');
            HasEnded |= name.SequenceEqual("response.completed"u8) || name.SequenceEqual("response.incomplete"u8);
        }
        return default;
    }

    private ReadOnlySpan<byte> TakeData(ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8))
        {
            HasEnded = true;
            return default;
        }
        if (AnswerFailure.IsErrorEvent(data))
        {
            Fail(data);
            return default;
        }
        DataEvents++;
        if (AnswerFailure.HasFailedChoice(data))
        {
            Fail(data);
        }
        return data.IndexOf("\"usage\""u8) >= 0 ? data : default;
    }

    private void Fail(ReadOnlySpan<byte> data) =>
        Failure ??= Encoding.UTF8.GetString(data.Length > MaxFailureBytes ? data[..MaxFailureBytes] : data);
}
