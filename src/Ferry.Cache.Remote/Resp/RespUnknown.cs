using System.Text;
using Ferry.Kv.Text;

namespace Ferry.Cache.Remote.Resp;

/// <summary>Answers a command that the front does not have, in Redis' words and with the nearest one that it has.</summary>
internal static class RespUnknown
{
    private const int WordBytesMax = 128; // As in Redis.

    public static void Answer(RespSession session)
    {
        var name = Quote(session, 0);
        var message = new StringBuilder($"ERR unknown command '{name}', with args beginning with: ");
        for (var index = 1; index < session.Count && message.Length < WordBytesMax; index++)
        {
            message.Append('\'').Append(Quote(session, index)).Append("' ");
        }
        if (NearestName.Find(name, RespCommands.Names) is { } nearest)
        {
            message.Append(message[^1] == ' ' ? "" : " ").Append("(did you mean '").Append(nearest).Append("'?)");
        }
        session.Fail(message.ToString());
        if (session.Is(0, "POST"u8) || session.Is(0, "Host:"u8))
        {
            // A browser tricked into talking to this port: what follows is a page's choice (Redis does the same).
            session.Ending = Fronts.FrontEnd.Protocol;
        }
    }

    private static string Quote(RespSession session, int index)
    {
        var word = session[index].Span;
        return new ByteText(word[..Math.Min(word.Length, WordBytesMax)]).ToString();
    }
}
