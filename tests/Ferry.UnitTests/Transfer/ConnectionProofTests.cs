using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.UnitTests.Transfer;

public sealed class ConnectionProofTests
{
    private static readonly byte[] Secret = "0123456789abcdef0123456789abcdef"u8.ToArray();
    private static readonly byte[] ClientNonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] ServerNonce = [.. Enumerable.Range(32, 32).Select(i => (byte)i)];

    [Fact]
    public void Proofs_OfTheRightSecret_AreAcceptedAndOfNoOther()
    {
        var open = ConnectionProof.EncodeOpen(ConnectionKind.Data, true, 5, ClientNonce);
        var challenge = ConnectionProof.EncodeChallenge(Secret, open, ServerNonce);
        byte[] other = [.. Secret];
        other[31] ^= 1;

        Assert.True(ConnectionProof.IsServerProven(Secret, open, challenge));
        Assert.False(ConnectionProof.IsServerProven(other, open, challenge));
        var prove = ConnectionProof.EncodeProve(Secret, open, ServerNonce);
        Assert.True(ConnectionProof.IsClientProven(Secret, open, ServerNonce, prove));
        Assert.False(ConnectionProof.IsClientProven(other, open, ServerNonce, prove));
    }

    [Fact]
    public void Proofs_ReflectedReplayedOrForAnotherSession_AreRefused()
    {
        var open = ConnectionProof.EncodeOpen(ConnectionKind.Data, true, 5, ClientNonce);
        var challenge = ConnectionProof.EncodeChallenge(Secret, open, ServerNonce);
        var prove = ConnectionProof.EncodeProve(Secret, open, ServerNonce);

        Assert.False(ConnectionProof.IsClientProven(Secret, open, ServerNonce, challenge.AsSpan(36))); // the server's own answer
        Assert.False(ConnectionProof.IsClientProven(Secret, open, ClientNonce, prove)); // another connection's nonce
        Assert.False(ConnectionProof.IsClientProven(Secret, ConnectionProof.EncodeOpen(ConnectionKind.Data, true, 6, ClientNonce), ServerNonce, prove));
        Assert.False(ConnectionProof.IsClientProven(Secret, open, ServerNonce, new byte[32]));
        Assert.False(ConnectionProof.IsClientProven(Secret, open, ServerNonce, []));
    }

    [Fact]
    public void Open_NotExactlyOne_IsRefused()
    {
        var open = ConnectionProof.EncodeOpen(ConnectionKind.Control, false, 0, ClientNonce);
        Assert.True(ConnectionProof.TryDecodeOpen(open, out _, out _, out _));
        Assert.False(ConnectionProof.TryDecodeOpen(open.AsSpan(1), out _, out _, out _));
        foreach (var (index, value) in new (int, byte)[] { (0, 0), (0, 3), (1, 2), (2, 1), (4, 1) })
        {
            byte[] damaged = [.. open];
            damaged[index] = value;
            Assert.False(ConnectionProof.TryDecodeOpen(damaged, out _, out _, out _));
        }
    }
}
