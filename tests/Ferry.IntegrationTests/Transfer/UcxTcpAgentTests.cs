namespace Ferry.IntegrationTests.Transfer;

public sealed class UcxTcpAgentTests : UcxAgentContract
{
    protected override string Transports => "tcp";

    protected override string ExpectedTransport => "tcp/";
}
