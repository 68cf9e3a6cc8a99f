using System.Net;
using Ferry.Router.Bodies;

namespace Ferry.Router.Forwarding;

/// <summary>A leg's body on its way: each part goes to the connection from where it lies.</summary>
internal sealed class LegContent : HttpContent
{
    private readonly LegBody _body;

    public LegContent(LegBody body)
    {
        _body = body;
        Headers.TryAddWithoutValidation("Content-Type", "application/json");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var index = 0; index < _body.Parts.Count; index++)
        {
            await stream.WriteAsync(_body.Parts[index], cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.ByteCount;
        return true;
    }
}
