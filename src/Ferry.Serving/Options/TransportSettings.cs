using Ferry.Kv.Settings;
using Ferry.Kv.Ucx;
using Ferry.Transfer.Host;

namespace Ferry.Serving.Options;

/// <summary>Reads UCX_TLS and FERRY_TRANSFER.</summary>
internal static class TransportSettings
{
    /// <summary>Takes UCX_TLS by UCX's own grammar, strictly: what UCX would pass over with a warning is an error.</summary>
    public static void ApplyUcxTls(ServeDraft draft, SettingValue value)
    {
        var tls = UcxTls.Parse(value.Text);
        foreach (var problem in tls.Problems)
        {
            if (problem.IsError)
            {
                value.Error(problem.Text);
            }
            else
            {
                value.Warn(problem.Text);
            }
        }
        if (!tls.HasErrors)
        {
            draft.Transports = draft.Transports with { UcxTls = value.Text };
        }
    }

    /// <summary>Refuses names of another maker's accelerator than the emulated one's: NVIDIA's on ROCm or Gaudi, above all.</summary>
    public static void CheckDevice(ServeDraft draft)
    {
        var vendor = draft.Device.Name switch { "mi300x" => UcxVendor.Amd, "gaudi3" => UcxVendor.Gaudi, _ => UcxVendor.Any };
        foreach (var problem in UcxTls.Parse(draft.Transports.UcxTls, null, vendor).Problems.Where(problem => problem.Kind == UcxTlsProblemKind.ForeignAccelerator))
        {
            draft.Add(FindingKind.Error, "UCX_TLS", draft.Transports.UcxTls!, problem.Text);
        }
    }

    public static void ApplyPreference(ServeDraft draft, SettingValue value)
    {
        if (MediaPreferences.TryParse(value.Text) is { } preference)
        {
            draft.Transports = draft.Transports with { Preference = preference };
            return;
        }
        value.Error($"{MediaPreferences.Variable} is '{value.Text}'; it must be one of {string.Join(", ", MediaPreferences.Names)}.{NameHint.Of(value.Text, MediaPreferences.Names)}");
    }
}
