using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Settings;

/// <summary>LMCache's own configuration file (LMCACHE_CONFIG_FILE).</summary>
public static class LmCacheFile
{
    private const string Extra = "extra_config.";

    public static void Apply(LmCacheSettings settings, CacheDraft draft, string path, FindingLog findings)
    {
        if (YamlFile.TryRead(path, LmCacheSettings.ConfigFileName, findings) is not { } file)
        {
            return;
        }
        foreach (var entry in file.Entries)
        {
            var key = entry.Key;
            if (key == "extra_config" && entry.Text is null)
            {
                continue;
            }
            if (key.StartsWith(Extra, StringComparison.Ordinal))
            {
                LmCacheExtraSettings.Apply(draft, findings, key[Extra.Length..], entry.Text ?? "", entry.Place);
                continue;
            }
            if (key.IndexOf('[', StringComparison.Ordinal) is var bracket and > 0)
            {
                if (!key.EndsWith("[0]", StringComparison.Ordinal))
                {
                    continue;   // one word on a list is enough: none of LMCache's lists has an effect
                }
                key = key[..bracket];
            }
            // LMCache's examples write "remote_url: null" for what is not set.
            if (entry.Text is null && settings.TryFindKey(key) is not null)
            {
                continue;
            }
            settings.ApplyKey(draft, findings, key, entry.Text ?? "", entry.Place);
        }
    }
}
