using Ferry.Router.Choosing;
using Ferry.Router.Forwarding;

namespace Ferry.Router.Routes;

/// <summary>A decode node's answer from its first byte on: of a stream the first bytes, of anything else the whole unless it is very long.</summary>
/// <param name="Bytes">What was read so far.</param>
/// <param name="IsStream">Server-sent events.</param>
/// <param name="IsWhole">Whether <paramref name="Bytes"/> is all there is.</param>
internal sealed record DecodeAnswer(
    Node Node, HttpResponseMessage Response, Stream Source, PooledBytes Bytes, bool IsStream, bool IsWhole, LegTicket Ticket, IdleTimer Idle, System.Diagnostics.Activity? Span) : IDisposable
{
    public int Status => (int)Response.StatusCode;

    public void Dispose()
    {
        Span?.Dispose();
        Ticket.Dispose();
        Source.Dispose();
        Response.Dispose();   // cuts the connection when the answer was not read to its end: vLLM then aborts the request
        Bytes.Dispose();
        Idle.Dispose();
    }
}
