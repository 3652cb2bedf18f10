//! One kubeconfig file.

use super::KubeconfigError;
use super::yaml::YamlValue;

/// A kubeconfig, including all fields that Quorate does not know.
#[derive(Clone, PartialEq)]
pub struct KubeconfigDocument(YamlValue);

/// A list of named items in a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KubeconfigSection {
    Clusters,
    Users,
    Contexts,
}

impl KubeconfigSection {
    fn list(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Users => "users",
            Self::Contexts => "contexts",
        }
    }

    /// Returns the member of each of its items beside the name.
    fn item(self) -> &'static str {
        match self {
            Self::Clusters => "cluster",
            Self::Users => "user",
            Self::Contexts => "context",
        }
    }
}

impl Default for KubeconfigDocument {
    /// Returns an empty kubeconfig.
    fn default() -> Self {
        Self(YamlValue::map([("apiVersion", YamlValue::text("v1")), ("kind", YamlValue::text("Config"))]))
    }
}

impl KubeconfigDocument {
    /// Reads a kubeconfig. An empty text is an empty kubeconfig.
    ///
    /// # Errors
    /// Returns an error if the text is not a kubeconfig.
    pub fn parse(text: &str) -> Result<Self, KubeconfigError> {
        let read: YamlValue = serde_saphyr::from_str(text).map_err(|error| KubeconfigError::Yaml {
            // The library's own message would quote the file.
            line: error.location().map(|location| location.line()),
        })?;
        match read {
            YamlValue::Null => Ok(Self::default()),
            YamlValue::Map(_) => {
                let document = Self(read);
                for section in [KubeconfigSection::Clusters, KubeconfigSection::Users, KubeconfigSection::Contexts] {
                    document.items(section)?;
                }
                Ok(document)
            }
            _ => Err(KubeconfigError::Shape("the whole")),
        }
    }

    /// Returns the text of the kubeconfig.
    ///
    /// # Errors
    /// Returns an error if a value cannot be represented in YAML.
    pub fn text(&self) -> Result<String, KubeconfigError> {
        // Certificates are on one long line, as in kubectl's own files.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: true };
        serde_saphyr::to_string_with_options(&self.0, options).map_err(|_| KubeconfigError::Unwritable)
    }

    /// Returns the name of the current context, if the file names one.
    pub fn current(&self) -> Option<&str> {
        self.0.get("current-context")?.as_text().filter(|name| !name.is_empty())
    }

    /// Sets the current context.
    pub(super) fn set_current(&mut self, context: &str) {
        self.0.set("current-context", YamlValue::text(context));
    }

    /// Returns an item by name, without the name.
    pub(super) fn find(&self, section: KubeconfigSection, name: &str) -> Option<&YamlValue> {
        let items = self.items(section).unwrap_or_default();
        items.iter().find(|item| is_called(item, name))?.get(section.item())
    }

    /// Replaces the item of this name, or appends it. Other fields of the item are kept.
    pub(super) fn put(&mut self, section: KubeconfigSection, name: &str, value: YamlValue) {
        let mut items = self.items(section).unwrap_or_default().to_vec();
        match items.iter_mut().find(|item| is_called(item, name)) {
            Some(there) => there.set(section.item(), value),
            None => items.push(YamlValue::map([("name", YamlValue::text(name)), (section.item(), value)])),
        }
        self.0.set(section.list(), YamlValue::List(items));
    }

    /// Returns the items of a list. A missing list and `null` are empty.
    fn items(&self, section: KubeconfigSection) -> Result<&[YamlValue], KubeconfigError> {
        match self.0.get(section.list()) {
            None | Some(YamlValue::Null) => Ok(&[]),
            Some(YamlValue::List(items)) => Ok(items),
            Some(_) => Err(KubeconfigError::Shape(section.list())),
        }
    }
}

fn is_called(item: &YamlValue, name: &str) -> bool {
    item.get("name").and_then(YamlValue::as_text) == Some(name)
}
