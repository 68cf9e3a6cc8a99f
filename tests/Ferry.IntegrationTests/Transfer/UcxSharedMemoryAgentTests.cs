namespace Ferry.IntegrationTests.Transfer;

public sealed class UcxSharedMemoryAgentTests : UcxAgentContract
{
    protected override string Transports => "posix,tcp";

    protected override string ExpectedTransport => "/memory";
}
