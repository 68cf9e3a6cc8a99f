using Ferry.Transfer.SideChannel;
using Ferry.Transfer.Wire;

namespace Ferry.Transfer.Tcp;

/// <summary>Both ends of the first four frames of a connection: Open, Challenge, Prove, Accept.</summary>
internal static class ConnectionOpening
{
    /// <summary>The connecting end. Success means that both ends know the secret, or that neither has one.</summary>
    public static async Task<TransferOutcome> OpenAsync(
        FrameConnection connection, ConnectionKind kind, ulong sessionId, byte[] secret, IEntropy entropy, CancellationToken cancellationToken)
    {
        var nonce = new byte[ConnectionProof.NonceBytes];
        entropy.Fill(nonce);
        var open = ConnectionProof.EncodeOpen(kind, secret.Length > 0, sessionId, nonce);
        if (await connection.WriteAsync(FrameType.Open, TransferError.None, 0, open, cancellationToken) is { } openError)
        {
            return Lost(openError);
        }
        var challenge = await ReadReplyAsync(connection, FrameType.Challenge, cancellationToken);
        if (!challenge.IsSuccess)
        {
            return challenge;
        }
        if (Answer(secret, open, connection.Payload.Span, out var proof) is { } refused)
        {
            return refused;
        }
        return await connection.WriteAsync(FrameType.Prove, TransferError.None, 0, proof, cancellationToken) is { } proveError
            ? Lost(proveError)
            : await ReadReplyAsync(connection, FrameType.Accept, cancellationToken);
    }

    /// <summary>The accepting end. On failure the peer has been told.</summary>
    public static async Task<(TransferOutcome Outcome, ConnectionKind Kind, ulong SessionId)> AcceptAsync(
        FrameConnection connection, byte[] secret, IEntropy entropy, CancellationToken cancellationToken)
    {
        var frame = await connection.ReadAsync(ConnectionProof.PayloadBytesMax, cancellationToken);
        if (!frame.IsSuccess)
        {
            return (await RefuseAsync(connection, FrameType.Challenge, frame.Error, frame.Message, cancellationToken), default, 0);
        }
        if (frame.Header.Type != FrameType.Open
            || !ConnectionProof.TryDecodeOpen(connection.Payload.Span, out var kind, out var hasSecret, out var sessionId))
        {
            return (await RefuseAsync(connection, FrameType.Challenge, TransferError.ProtocolViolation,
                "A connection begins with an Open frame.", cancellationToken), default, 0);
        }
        if (hasSecret != secret.Length > 0)
        {
            return (await RefuseAsync(connection, FrameType.Challenge, TransferError.AuthenticationFailed, hasSecret
                ? "This agent has no shared secret, the peer has one. Give both the same."
                : "This agent asks for a shared secret, the peer has none. Give both the same.", cancellationToken), default, 0);
        }
        var open = connection.Payload.ToArray();
        var nonce = new byte[ConnectionProof.NonceBytes];
        entropy.Fill(nonce);
        if (await connection.WriteAsync(FrameType.Challenge, TransferError.None, 0,
            ConnectionProof.EncodeChallenge(secret, open, nonce), cancellationToken) is { } error)
        {
            return (Lost(error), default, 0);
        }
        frame = await connection.ReadAsync(ConnectionProof.PayloadBytesMax, cancellationToken);
        if (!frame.IsSuccess || frame.Header.Type != FrameType.Prove)
        {
            return (await RefuseAsync(connection, FrameType.Accept, frame.IsSuccess ? TransferError.ProtocolViolation : frame.Error,
                frame.IsSuccess ? "A Prove frame was due." : frame.Message, cancellationToken), default, 0);
        }
        return ConnectionProof.IsClientProven(secret, open, nonce, connection.Payload.Span)
            ? (TransferOutcome.Success(TransferPhase.Handshake), kind, sessionId)
            : (await RefuseAsync(connection, FrameType.Accept, TransferError.AuthenticationFailed,
                "The shared secrets differ.", cancellationToken), default, 0);
    }

    /// <summary>Reads the one frame that is due; a refusal or anything else is a failure.</summary>
    public static async Task<TransferOutcome> ReadReplyAsync(FrameConnection connection, FrameType due, CancellationToken cancellationToken)
    {
        var frame = await connection.ReadAsync(FrameHeader.PayloadBytesMax, cancellationToken);
        if (!frame.IsSuccess)
        {
            return TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, frame.Error, frame.Message);
        }
        if (frame.Header.Status != TransferError.None)
        {
            return SideChannelClient.Refusal(TransferPhase.Handshake, frame.Header.Status, connection.Payload.Span);
        }
        return frame.Header.Type == due
            ? TransferOutcome.Success(TransferPhase.Handshake)
            : TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.ProtocolViolation,
                $"{due} was due; {frame.Header.Type} came.");
    }

    /// <summary>Tells the peer why, as far as that goes, and returns the same as an outcome.</summary>
    public static async Task<TransferOutcome> RefuseAsync(
        FrameConnection connection, FrameType replyType, TransferError error, string message, CancellationToken cancellationToken)
    {
        if (error != TransferError.ConnectionLost)
        {
            await connection.WriteAsync(replyType, error, 0, SideChannelCodec.EncodeMessage(message).Written.ToArray(), cancellationToken);
        }
        return TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, error, message);
    }

    private static TransferOutcome? Answer(byte[] secret, byte[] open, ReadOnlySpan<byte> challenge, out byte[] proof)
    {
        proof = [];
        if (!ConnectionProof.TryDecodeChallenge(challenge, out var hasSecret, out var serverNonce))
        {
            return TransferOutcome.Failed(
                TransferPhase.Handshake, TransferSide.Remote, TransferError.ProtocolViolation, "The Challenge is malformed.");
        }
        if (hasSecret != secret.Length > 0 || (hasSecret && !ConnectionProof.IsServerProven(secret, open, challenge)))
        {
            return TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.AuthenticationFailed,
                "The peer does not know this agent's shared secret.");
        }
        proof = ConnectionProof.EncodeProve(secret, open, serverNonce);
        return null;
    }

    private static TransferOutcome Lost(string message) =>
        TransferOutcome.Failed(TransferPhase.Handshake, TransferSide.Remote, TransferError.ConnectionLost, message);
}
