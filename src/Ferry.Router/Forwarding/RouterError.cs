using System.Buffers;
using System.Text.Json;

namespace Ferry.Router.Forwarding;

/// <summary>vLLM's error object, as a body and as an event.</summary>
internal static class RouterError
{
    public static byte[] Body(RouterException error)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("error");
            writer.WriteString("message", error.Message);
            writer.WriteString("type", error.Type);
            writer.WriteNull("param");
            writer.WriteNumber("code", error.Status);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Ends a stream that has begun: an error event, then [DONE].</summary>
    /// <param name="atEventEnd">False: an event is open and is ended first.</param>
    public static byte[] Event(string message, bool atEventEnd)
    {
        byte[] open = atEventEnd ? [] : [.. "\n\n"u8];
        return [.. open, .. "data: "u8, .. Body(RouterException.BadGateway(message)), .. "\n\ndata: [DONE]\n\n"u8];
    }
}
