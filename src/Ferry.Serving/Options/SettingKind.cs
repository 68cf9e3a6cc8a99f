namespace Ferry.Serving.Options;

public enum SettingKind
{
    Flag,
    Environment,
    LmCache,
    KvTransferConfig,
    KvExtraConfig,
}
